// What containerd runs for each image (its docs/image-verification.md): it hands what it was told to
// the daemon of the node, and what the daemon says to containerd. Exit 0 lets the image through, and
// whatever goes wrong is another exit. `bulla node install-verifier` writes it, built to one file, with
// the interpreter and the settings before it; a run lasts as long as Node takes to start, so it loads
// nothing but sockets and parses nothing but the first words of one line.

const { lstatSync, readSync, statSync, writeSync } = process.getBuiltinModule('node:fs');
const { createConnection } = process.getBuiltinModule('node:net');

/** What the installed file says before this code. */
interface Settings {
  readonly socket: string;
  readonly timeoutMs: number;
  /** The user, beside root and containerd's own, whose socket is trusted. */
  readonly owner: number;
}

declare global {
  var bullaVerifier: Settings | undefined;
}

const STDIN_MOST_BYTES = 64 << 10;
const ANSWER_MOST_BYTES = 8 << 10;
const REASON_LONGEST = 1000;
const OTHERS_WRITE = 0o022;
const FLAGS = ['-name', '-digest', '-stdin-media-type', '-operation'] as const;

type Told = Partial<Record<(typeof FLAGS)[number], string>>;

// A run that ends by itself, or by a defect, has not let anything through.
process.exitCode = 1;

function end(code: 0 | 1, reason: string): never {
  // containerd takes standard output as the reason; a control could not be told from its own lines.
  const line = reason
    .trimEnd()
    .replace(/[^\x20-\x7e]+/g, ' ')
    .slice(0, REASON_LONGEST);
  try {
    writeSync(1, `${line}\n`);
  } catch {
    // Nobody reads: the exit says it.
  }
  process.exit(code);
}

function block(reason: string): never {
  end(1, `Bulla: ${reason}`);
}

function readArguments(given: readonly string[]): Told {
  const told: Told = {};
  for (let at = 0; at < given.length; at += 2) {
    const flag = FLAGS.find((one) => one === given[at]);
    const value = given[at + 1];
    if (flag === undefined) block(`this verifier knows no argument ${JSON.stringify(given[at])}`);
    if (value === undefined) block(`the argument ${flag} has no value`);
    if (told[flag] !== undefined) block(`the argument ${flag} is given twice`);
    told[flag] = value;
  }
  for (const flag of FLAGS) {
    if (flag !== '-operation' && !told[flag]) block(`the argument ${flag} is missing`);
  }
  return told;
}

/** All of standard input. */
function readInput(): Buffer {
  const bytes = Buffer.alloc(STDIN_MOST_BYTES + 1);
  let length = 0;
  for (;;) {
    const count = readSync(0, bytes, length, bytes.length - length, null);
    length += count;
    if (length > STDIN_MOST_BYTES) block(`standard input is over ${STDIN_MOST_BYTES} bytes`);
    if (count === 0) return bytes.subarray(0, length);
  }
}

/** Whoever can exchange the socket answers in the daemon's place. */
function checkSocket({ socket, owner }: Settings): void {
  const trusted = [0, process.getuid?.() ?? 0, owner];
  const found = lstatSync(socket);
  const folder = statSync(socket.replace(/\/[^/]*$/, '') || '/');
  if (!found.isSocket()) block(`${socket} is no socket`);
  if (!trusted.includes(found.uid)) block(`the socket ${socket} belongs to user ${found.uid}`);
  if (!trusted.includes(folder.uid)) block(`the folder of ${socket} belongs to user ${folder.uid}`);
  if ((folder.mode & OTHERS_WRITE) !== 0) block(`others can write to the folder of ${socket}`);
}

/** Ends by a whole answer to this question; by nothing else as a pass. */
function judge(answer: string, digest: string): never {
  const whole = answer.endsWith('\n') && answer.indexOf('\n') === answer.length - 1;
  if (!whole) block('the daemon of the node broke off its answer');
  const allow = `allow ${digest} `;
  if (answer.startsWith(allow)) end(0, answer.slice(allow.length));
  const [word, about = '', ...rest] = answer.trimEnd().split(' ');
  if (word === 'block' && (about === digest || about === '-')) block(rest.join(' '));
  block('the daemon of the node gave no answer to this question');
}

function ask(settings: Settings, told: Told, input: Buffer): void {
  const digest = told['-digest'] ?? '';
  const line = JSON.stringify({
    v: 1,
    name: told['-name'],
    digest,
    type: told['-stdin-media-type'],
    operation: told['-operation'] ?? '',
    stdin: input.toString('base64'),
  });
  let answer = '';
  const connection = createConnection({ path: settings.socket });
  setTimeout(
    () => block(`the daemon of the node gave no answer in ${settings.timeoutMs} ms`),
    settings.timeoutMs,
  );
  connection.setEncoding('latin1');
  connection.on('connect', () => connection.write(`${line}\n`));
  connection.on('data', (part: string) => {
    answer += part;
    if (answer.length > ANSWER_MOST_BYTES) block('the answer of the daemon is too long');
  });
  connection.on('end', () => judge(answer, digest));
  connection.on('error', (error) =>
    block(`the daemon of the node cannot be asked: ${error.message}`),
  );
}

function main(): void {
  const settings = globalThis.bullaVerifier;
  if (settings === undefined) block('install this verifier with `bulla node install-verifier`');
  const told = readArguments(process.argv.slice(2));
  const input = readInput();
  checkSocket(settings);
  ask(settings, told, input);
}

try {
  main();
} catch (error) {
  block(error instanceof Error ? error.message : 'the verifier failed');
}
