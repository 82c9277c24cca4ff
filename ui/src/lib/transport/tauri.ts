/**
 * The back end behind Tauri's IPC. Nothing outside this folder names Tauri.
 */
import { Channel } from '@tauri-apps/api/core';
import { open, save } from '@tauri-apps/plugin-dialog';
import { commands } from '$lib/bindings';
import type { AppError, AppEvent, Event as SessionEvent, PullProgress } from '$lib/bindings';
import { BackendError, type Backend } from './backend';

type Answer<T> = { status: 'ok'; data: T } | { status: 'error'; error: AppError };

async function answered<T>(answer: Promise<Answer<T>>): Promise<T> {
  let result: Answer<T>;
  try {
    result = await answer;
  } catch (fault) {
    throw new BackendError({
      code: 'internal',
      message: fault instanceof Error ? fault.message : String(fault),
      hint: '',
      details: [],
      retryable: false,
    });
  }
  if (result.status === 'error') throw new BackendError(result.error);
  return result.data;
}

async function done(answer: Promise<Answer<null>>): Promise<void> {
  await answered(answer);
}

export const tauriBackend: Backend = {
  appInfo: () => answered(commands.appInfo()),
  watchApp: (listener) => {
    const channel = new Channel<AppEvent>();
    channel.onmessage = listener;
    return done(commands.watchApp(channel));
  },
  openProject: (path) => answered(commands.openProject(path)),
  demoConfig: () => answered(commands.demoConfig()),
  recentProjects: () => answered(commands.recentProjects()),
  doctor: (configPath) => answered(commands.doctor(configPath)),
  initialiseRepository: async (configPath, task) => {
    await answered(commands.initialiseRepository(configPath, task));
  },
  startSession: (configPath, task, annotator, model) =>
    answered(commands.startSession(configPath, task, annotator, model)),
  ollamaModels: (host) => answered(commands.ollamaModels(host)),
  pullModel: (host, model, listener) => {
    const channel = new Channel<PullProgress>();
    channel.onmessage = listener;
    return answered(commands.ollamaPull(host, model, channel));
  },
  stopPull: async () => {
    await answered(commands.ollamaStopPull());
  },
  openSession: (session) => done(commands.openSession(session)),
  listSessions: () => answered(commands.listSessions()),
  subscribe: async (session, listener) => {
    const channel = new Channel<SessionEvent[]>();
    let open = true;
    channel.onmessage = (events) => {
      if (open) listener(events);
    };
    await done(commands.subscribe(session, channel));
    return {
      close: () => {
        open = false;
        return done(commands.unsubscribe(session));
      },
    };
  },
  sendOp: (session, op) => done(commands.sendOp(session, op)),
  previewRollback: (session, place) => answered(commands.previewRollback(session, place)),
  compare: (session, a, b) => answered(commands.compare(session, a, b)),
  stepDiff: (session, step) => answered(commands.stepDiff(session, step)),
  checkpointDiff: (session, from, to) => answered(commands.checkpointDiff(session, from, to)),
  treeAt: (session, checkpoint) => answered(commands.treeAt(session, checkpoint)),
  fileAt: (session, checkpoint, path) => answered(commands.fileAt(session, checkpoint, path)),
  textPage: (blob, offset) => answered(commands.textPage(blob, offset)),
  exportDataset: (inputDir, format, file) =>
    answered(commands.exportDataset(inputDir, format, file)),
  saveRecording: (session, file) => answered(commands.saveRecording(session, file)),
  pickFile: (title, filters) => open({ title, filters, multiple: false, directory: false }),
  pickTarget: (title, proposed, filters) => save({ title, filters, defaultPath: proposed }),
};
