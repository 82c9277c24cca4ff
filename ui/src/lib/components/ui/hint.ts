/** Finds the command in a hint, so that it can be copied and run. */

export interface HintParts {
  readonly text: string;
  readonly command: string | null;
}

const AFTER_RUN = /^(?<text>.*?\b[Rr]un:)\s+(?<command>\S.*?)\s*\.?$/su;
const QUOTED = /^(?<before>.*?)`(?<command>[^`\n]+)`(?<after>.*)$/su;
/** A hint that is nothing but a command line: it starts with a program and is no sentence. */
const BARE =
  /^(?:[a-z][\w.-]*|\.{0,2}\/\S+)(?: (?:--?[\w-]+|&&|\|\||\||\S*[/=."'{}@:_-]\S*|[a-z0-9]\S*))+$/u;
const PROGRAMS = new Set(
  'apt apt-get brew cargo cd chmod curl docker espalier export git mkdir npm ollama pip pip3 pipx python python3 set source sudo systemctl uv winget'.split(
    ' ',
  ),
);

export function hintParts(hint: string): HintParts {
  const text = hint.trim();
  const [program = ''] = text.split(' ', 1);
  if (PROGRAMS.has(program) && BARE.test(text) && !text.endsWith('.')) {
    return { text: '', command: text };
  }
  const run = AFTER_RUN.exec(text)?.groups;
  if (run?.['command']) return { text: run['text'] ?? '', command: run['command'] };
  const quoted = QUOTED.exec(text)?.groups;
  if (quoted?.['command']) {
    return { text: text.replaceAll('`', ''), command: quoted['command'] };
  }
  return { text, command: null };
}
