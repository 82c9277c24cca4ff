/** A tool call's arguments as fields that a person can change, and back. */
import type { ToolDefinition } from '$lib/bindings';

export interface CallField {
  readonly name: string;
  /** Text is edited as it is; anything else as JSON. */
  readonly kind: 'text' | 'json';
  readonly required: boolean;
  readonly about: string;
  value: string;
}

interface Property {
  readonly type?: unknown;
  readonly description?: unknown;
}

interface Schema {
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The fields of a call: those its tool knows, then whatever else the model gave. */
export function fieldsOf(input: unknown, tool: ToolDefinition | null): CallField[] {
  const given = isRecord(input) ? input : {};
  const schema = (isRecord(tool?.parameters) ? tool.parameters : {}) as Schema;
  const properties = schema.properties ?? {};
  const names = new Set([...Object.keys(properties), ...Object.keys(given)]);
  return [...names].map((name): CallField => {
    const value = given[name];
    const text = properties[name]?.type === 'string' || typeof value === 'string';
    const about = properties[name]?.description;
    return {
      name,
      kind: text ? 'text' : 'json',
      required: schema.required?.includes(name) ?? false,
      about: typeof about === 'string' ? about : '',
      value: value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value),
    };
  });
}

/** The arguments that the fields say; the names of fields that are no JSON. A field that is empty
 * and not required is left out, unless the model gave it empty. */
export function inputOf(
  fields: readonly CallField[],
  before: unknown,
): { input: Record<string, unknown>; wrong: string[] } {
  const given = isRecord(before) ? before : {};
  const input: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const field of fields) {
    if (field.value === '' && !field.required && given[field.name] !== '') continue;
    if (field.kind === 'text') {
      input[field.name] = field.value;
      continue;
    }
    try {
      input[field.name] = JSON.parse(field.value) as unknown;
    } catch {
      wrong.push(field.name);
    }
  }
  return { input, wrong };
}
