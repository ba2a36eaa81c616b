import type { Command, Option } from 'commander';

/** The shells that a script can be made for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** One of them. */
export type Shell = (typeof SHELLS)[number];

/** One command as a shell sees it. */
interface Node {
  /** The words that lead to it, without the program's own name. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly says: string }[];
  readonly options: readonly Choice[];
  /** Values of the first argument, where they are known. */
  readonly values: readonly string[];
}

/** One option with the values that are known for it. */
interface Choice {
  readonly flags: readonly string[];
  readonly says: string;
  readonly takesValue: boolean;
  readonly values: readonly string[];
}

/** The completion script for `shell`, generated from the whole tree of commands. */
export function completionScript(shell: Shell, program: Command): string {
  const nodes = nodesOf(program, []);
  switch (shell) {
    case 'bash':
      return bashScript(nodes);
    case 'zsh':
      return zshScript(nodes);
    case 'fish':
      return fishScript(nodes);
    default:
      return shell satisfies never;
  }
}

function nodesOf(command: Command, path: readonly string[]): readonly Node[] {
  const { commands } = command;
  const help: Choice = {
    flags: ['-h', '--help'],
    says: 'display help for command',
    takesValue: false,
    values: [],
  };
  const own: Node = {
    path,
    commands: commands.map((child) => ({ name: child.name(), says: child.description() })),
    options: [...command.options.filter((option) => !option.hidden).map(choiceOf), help],
    values: command.registeredArguments[0]?.argChoices ?? [],
  };
  return [own, ...commands.flatMap((child) => nodesOf(child, [...path, child.name()]))];
}

function choiceOf(option: Option): Choice {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined),
    says: option.description,
    takesValue: option.required || option.optional,
    values: option.argChoices ?? [],
  };
}

/** The case pattern of a node: its words, joined by spaces. */
function keyOf({ path }: Node): string {
  return path.join(' ');
}

/** `text` in single quotes of a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function wordsOf(node: Node): readonly string[] {
  return [
    ...node.commands.map(({ name }) => name),
    ...node.values,
    ...node.options.flatMap(({ flags }) => flags),
  ];
}

/** Cases by the command in `at` that set `found` to words, or `files`; an option's values first. */
function shellCases(nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const valued = node.options.filter(({ takesValue }) => takesValue);
    const patterns = valued.map(({ flags, values }) => {
      const set = values.length === 0 ? 'files=1' : `found=${quoted(values.join(' '))}`;
      return `        ${flags.join('|')}) ${set}; return ;;`;
    });
    return [
      `    ${quoted(keyOf(node))})`,
      ...(patterns.length === 0 ? [] : ['      case "$previous" in', ...patterns, '      esac']),
      `      found=${quoted(wordsOf(node).join(' '))}`,
      '      ;;',
    ];
  });
  return lines.join('\n');
}

/** The patterns of a case over `"$at $word"`: every command and subcommand. */
function pathPatterns(nodes: readonly Node[]): string {
  const keys = nodes.map(keyOf).filter((key) => key !== '');
  return keys.map((key) => quoted(` ${key}`)).join('|');
}

function bashScript(nodes: readonly Node[]): string {
  return `# bash completion for bulla; made by \`bulla completion bash\`
_bulla_words() {
  case "$at" in
${shellCases(nodes)}
  esac
}
_bulla() {
  local at="" word found="" files="" current previous
  current="\${COMP_WORDS[COMP_CWORD]}"
  previous="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
      ${pathPatterns(nodes)}) at="$at $word" ;;
    esac
  done
  at="\${at# }"
  _bulla_words
  COMPREPLY=( $(compgen -W "$found" -- "$current") )
  if [[ -n "$files" || ( \${#COMPREPLY[@]} -eq 0 && "$current" != -* ) ]]; then
    COMPREPLY=( $(compgen -f -- "$current") )
  fi
}
complete -o filenames -F _bulla bulla
`;
}

function zshScript(nodes: readonly Node[]): string {
  return `#compdef bulla
# zsh completion for bulla; made by \`bulla completion zsh\`
_bulla_words() {
  case "$at" in
${shellCases(nodes)}
  esac
}
_bulla() {
  local at="" word found="" files="" previous
  previous="\${words[CURRENT-1]}"
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      ${pathPatterns(nodes)}) at="$at $word" ;;
    esac
  done
  at="\${at# }"
  _bulla_words
  [[ -n "$found" ]] && compadd -- \${=found}
  [[ -n "$files" || "\${words[CURRENT]}" != -* ]] && _files
}
# Autoloaded, this file is the function's own body at its first call.
if [[ "\${funcstack[1]}" == _bulla ]]; then _bulla "$@"; else compdef _bulla bulla; fi
`;
}

function fishScript(nodes: readonly Node[]): string {
  const lines = nodes.flatMap((node) => {
    const seen = `__bulla_at ${node.path.map(quoted).join(' ')}`.trim();
    const at = `complete -c bulla -n ${quoted(seen)}`;
    return [
      ...node.commands.map(({ name, says }) => `${at} -f -a ${name} -d ${quoted(says)}`),
      ...(node.values.length === 0 ? [] : [`${at} -f -a ${quoted(node.values.join(' '))}`]),
      ...node.options.map((option) => `${at} ${fishOption(option)}`),
    ];
  });
  return [
    '# fish completion for bulla; made by `bulla completion fish`',
    'function __bulla_at',
    '  set -l words (commandline -opc)[2..-1]',
    '  set -l found',
    '  for word in $words',
    '    if contains -- (string join " " $found $word) $__bulla_paths',
    '      set -a found $word',
    '    end',
    '  end',
    '  test "$found" = "$argv"',
    'end',
    `set -g __bulla_paths ${nodes.map((node) => quoted(keyOf(node))).join(' ')}`,
    ...lines,
    '',
  ].join('\n');
}

function fishOption({ flags, says, takesValue, values }: Choice): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const value =
    values.length > 0 ? [`-x -a ${quoted(values.join(' '))}`] : takesValue ? ['-r'] : [];
  return [...names, ...value, `-d ${quoted(says)}`].join(' ');
}
