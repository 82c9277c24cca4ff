/** What commands write. */
const E = '\u001b[';

export const TESTS = [
  `${E}1m============================= test session starts ==============================${E}0m`,
  'platform linux -- Python 3.11.7, pytest-8.3.4, pluggy-1.5.0',
  'rootdir: /work/demo-project',
  `${E}1mcollected 4 items${E}0m`,
  '',
  `tests/test_parser.py ${E}32m.${E}0m${E}32m.${E}0m${E}31mF${E}0m${E}32m.${E}0m${E}31m                                              [100%]${E}0m`,
  '',
  '=================================== FAILURES ===================================',
  `${E}31m${E}1m_________________________ test_empty_input_gives_none __________________________${E}0m`,
  '',
  `    ${E}0m${E}94mdef${E}39;49;00m ${E}92mtest_empty${E}39;49;00m():${E}90m${E}39;49;00m`,
  `>       ${E}94massert${E}39;49;00m parse(${E}33m"${E}39;49;00m${E}33m"${E}39;49;00m) == {}`,
  `${E}1m${E}31mE       IndexError: list index out of range${E}0m`,
  '',
  `${E}1m${E}31msrc/parser.py${E}0m:23: IndexError`,
  `${E}36m${E}1m=========================== short test summary info ============================${E}0m`,
  `${E}31mFAILED${E}0m tests/test_parser.py::${E}1mtest_empty${E}0m - IndexError: list index out of range`,
  `${E}31m========================= ${E}31m${E}1m1 failed${E}0m, ${E}32m3 passed${E}0m${E}31m in 0.04s${E}0m${E}31m =========================${E}0m`,
  '',
].join('\r\n');

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
export const COLOURS = [
  names.map((name, at) => `${E}${30 + at}m${name}${E}0m`).join(' '),
  names.map((name, at) => `${E}${90 + at}m${name}${E}0m`).join(' '),
  names.map((name, at) => `${E}${40 + at};30m ${name} ${E}0m`).join(' '),
  names.map((name, at) => `${E}1;${30 + at}m${name}${E}0m`).join(' '),
  `${E}2mdim${E}0m ${E}3mitalic${E}0m ${E}4munderline${E}0m ${E}7minverse${E}0m ${E}9mstruck${E}0m ${E}38;2;255;140;0morange${E}0m ${E}38;5;141mviolet 141${E}0m`,
  '┌────────┬───────┐',
  '│ name   │ value │  ✓ passed  ✗ failed  한글 出力',
  '└────────┴───────┘',
].join('\n');

export const PROGRESS = `Collecting packages\n${Array.from(
  { length: 21 },
  (_, at) => `\rDownloading ${'█'.repeat(at)}${'░'.repeat(20 - at)} ${at * 5}%`,
).join('')}\n${E}32mInstalled 14 packages${E}0m in 2.1 s\n`;

export const TOP = `${E}?1049h${E}2J${E}H  PID USER      %CPU COMMAND${E}2;1H${E}7m  412 agent      3.1 python3 -m pytest${E}0m${E}3;1H  398 agent      0.4 bash${E}5;1Hpress q to leave`;

export const LONG = Array.from(
  { length: 6_000 },
  (_, at) =>
    `${E}90m${String(at).padStart(5)}${E}0m  compiling unit_${at}.c ${at % 97 === 0 ? `${E}33mwarning: unused variable 'x'${E}0m` : ''}`,
).join('\n');
