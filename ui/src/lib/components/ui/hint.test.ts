import { describe, expect, it } from 'vitest';
import { hintParts } from './hint';

describe('hintParts', () => {
  it.each([
    ['ollama serve', '', 'ollama serve'],
    ['export ANTHROPIC_API_KEY="sk-ant-..."', '', 'export ANTHROPIC_API_KEY="sk-ant-..."'],
    [
      'cd /path/to/project && git init && git add -A && git commit -m "start"',
      '',
      'cd /path/to/project && git init && git add -A && git commit -m "start"',
    ],
    [
      'Start Espalier again; if it stays, run: espalier doctor',
      'Start Espalier again; if it stays, run:',
      'espalier doctor',
    ],
    ['Get it with `ollama pull qwen3`.', 'Get it with ollama pull qwen3.', 'ollama pull qwen3'],
  ])('finds the command in %s', (hint, text, command) => {
    expect(hintParts(hint)).toEqual({ text, command });
  });

  it.each([
    'Set live_agent.pause.enabled to true.',
    'git is not installed.',
    'Choose another name.',
    '',
  ])('takes "%s" for what it is: words', (hint) => {
    expect(hintParts(hint)).toEqual({ text: hint, command: null });
  });
});
