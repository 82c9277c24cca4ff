/**
 * Names of elements that tests of the window look for. Stable: a test may not care how the screen is
 * laid out. Elements that repeat carry what they are about in `data-step`, `data-branch`, `data-task`,
 * `data-session`, `data-scheme` or `data-value` beside the name.
 */
export const testids = {
  // Start
  startOpen: 'start-open',
  startDemo: 'start-demo',
  startRecent: 'start-recent',
  startSession: 'start-session',
  startDoctor: 'start-doctor',
  startError: 'start-error',

  // Project
  projectScreen: 'project-screen',
  projectBack: 'project-back',
  annotator: 'annotator',
  task: 'task',
  taskStart: 'task-start',
  taskResume: 'task-resume',
  projectProblem: 'project-problem',
  remoteBanner: 'remote-banner',
  recordingBanner: 'recording-banner',
  projectExport: 'project-export',
  exportRun: 'export-run',

  // Session
  sessionScreen: 'session-screen',
  /** `data-state`: the state's name; `data-reason`: why it waits. */
  state: 'session-state',
  stateSentence: 'session-state-sentence',
  stepCount: 'step-count',
  sessionCost: 'session-cost',
  contextFill: 'context-fill',
  modelPanel: 'model-panel',
  modelPull: 'model-pull',
  modelPulling: 'model-pulling',
  modelStop: 'model-stop',
  proposedCall: 'proposed-call',
  callEdit: 'call-edit',
  callDialog: 'call-dialog',
  callField: 'call-field',
  callReason: 'call-reason',
  callConfirm: 'call-confirm',
  callRefuse: 'call-refuse',
  callUndo: 'call-undo',
  initialiseDialog: 'initialise-dialog',
  initialiseConfirm: 'initialise-confirm',
  branchSwitch: 'branch-switch',
  branchesRunning: 'branches-running',
  turnTo: 'turn-to',
  compareTestBoth: 'compare-test-both',
  branchOption: 'branch-option',
  leave: 'leave',
  timeline: 'timeline',
  /** `data-step`: its id; `data-index`: its number; `data-kind`; `data-status`; `data-tone`. */
  step: 'step',
  stepRollback: 'step-rollback',
  stepBranch: 'step-branch',
  stepDiff: 'step-diff',
  stepOutput: 'step-output',
  stepText: 'step-text',
  stepThinking: 'step-thinking',
  startRollback: 'start-rollback',
  startBranch: 'start-branch',
  instruction: 'instruction',
  fork: 'fork',
  forkWay: 'fork-way',
  here: 'here',
  mark: 'mark',
  testResult: 'test-result',
  live: 'live',
  liveText: 'live-text',
  liveThinking: 'live-thinking',
  jumpToLive: 'jump-to-live',
  providerTrouble: 'provider-trouble',

  // Controls
  pauseResume: 'pause-resume',
  stop: 'stop',
  rollback: 'rollback',
  undoRollback: 'undo-rollback',
  branch: 'branch',
  compare: 'compare',
  runTests: 'run-tests',
  finish: 'finish',
  instructBox: 'instruct-box',
  instructSend: 'instruct-send',
  instructSendResume: 'instruct-send-resume',
  instructPreset: 'instruct-preset',
  recordedWay: 'recorded-way',
  continueLive: 'continue-live',

  // Dialogs
  rollbackDialog: 'rollback-dialog',
  rollbackConfirm: 'rollback-confirm',
  rollbackFiles: 'rollback-files',
  branchDialog: 'branch-dialog',
  branchInstruction: 'branch-instruction',
  branchPreset: 'branch-preset',
  branchName: 'branch-name',
  branchConfirm: 'branch-confirm',
  placeSelect: 'place-select',
  finishDialog: 'finish-dialog',
  finishMissing: 'finish-missing',
  finishKeep: 'finish-keep',
  finishPutBack: 'finish-put-back',
  finishOutput: 'finish-output',
  finishConfirm: 'finish-confirm',
  finishAnyway: 'finish-anyway',
  leaveDialog: 'leave-dialog',
  leavePark: 'leave-park',
  leaveOpen: 'leave-open',
  continueDialog: 'continue-dialog',
  continueHost: 'continue-host',
  continueModel: 'continue-model',
  continueConfirm: 'continue-confirm',
  shortcutsDialog: 'shortcuts-dialog',

  // Annotations
  annotationPanel: 'annotation-panel',
  /** `data-scheme`, and `data-target` as `step s3`, `branch main`, `session`. */
  scheme: 'scheme',
  /** `data-value`: the label. */
  answer: 'answer',
  answerSaved: 'answer-saved',
  stepRating: 'step-rating',

  // Files
  filesPanel: 'files-panel',
  filePane: 'file-pane',
  filePaneClose: 'file-pane-close',

  // Compare
  compareScreen: 'compare-screen',
  compareA: 'compare-a',
  compareB: 'compare-b',
  compareBack: 'compare-back',

  // Everywhere
  theme: 'theme',
  language: 'language',
  shortcuts: 'shortcuts',
  announcer: 'announcer',
} as const;

export type TestId = (typeof testids)[keyof typeof testids];
