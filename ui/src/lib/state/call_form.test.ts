import { describe, expect, it } from 'vitest';
import type { ToolDefinition } from '$lib/bindings';
import { fieldsOf, inputOf } from './call_form';

const BASH: ToolDefinition = {
  name: 'bash',
  description: 'Runs a command.',
  parameters: {
    type: 'object',
    properties: {
      command: { type: 'string', description: 'The command.' },
      timeout_seconds: { type: 'integer' },
    },
    required: ['command'],
  },
};

describe('the fields of a call', () => {
  it('are those of its tool, filled with what the model gave', () => {
    const fields = fieldsOf({ command: 'ls' }, BASH);
    expect(fields.map(({ name, kind, value }) => [name, kind, value])).toEqual([
      ['command', 'text', 'ls'],
      ['timeout_seconds', 'json', ''],
    ]);
  });

  it('lead back to the same arguments when nothing was changed', () => {
    for (const input of [{ command: 'ls', timeout_seconds: 3 }, { command: '', extra: [1] }, {}]) {
      const { input: back, wrong } = inputOf(fieldsOf(input, null), input);
      expect(back).toEqual(input);
      expect(wrong).toEqual([]);
    }
  });

  it('say which of them are no JSON', () => {
    const fields = fieldsOf({ command: 'ls' }, BASH);
    const [, seconds] = fields;
    if (seconds) seconds.value = 'soon';
    expect(inputOf(fields, { command: 'ls' }).wrong).toEqual(['timeout_seconds']);
  });
});
