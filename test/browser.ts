import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** A page in a headless Chromium, steered through its DevTools protocol. */
export interface BrowserPage {
  /** The value of an expression in the page. */
  evaluate<T>(expression: string): Promise<T>;
  /** Resolves when an expression is true in the page. */
  until(expression: string): Promise<void>;
  look(width: number, height: number, scheme: 'light' | 'dark'): Promise<void>;
  /** As PNG. */
  screenshot(): Promise<Buffer>;
  /** Errors of scripts, and what the console was told. */
  readonly messages: readonly string[];
}

/** Opens an address in a Chromium of its own (`chromium` on the PATH, or `CHROMIUM`) while `use` works with it. */
export async function withPage<T>(url: string, use: (page: BrowserPage) => Promise<T>): Promise<T> {
  const profile = await mkdtemp(join(tmpdir(), 'densenet-chromium-'));
  const child = spawn(
    process.env.CHROMIUM ?? 'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--hide-scrollbars',
      `--user-data-dir=${profile}`,
      '--remote-debugging-pipe',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const ended = new Promise((resolve) => child.on('close', resolve));
  try {
    const [, , , commands, answers] = child.stdio as unknown as [null, null, null, Writable, Readable];
    return await use(await openPage(commands, answers, url));
  } finally {
    child.kill();
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { message: string };
}

async function openPage(commands: Writable, answers: Readable, url: string): Promise<BrowserPage> {
  const messages: string[] = [];
  const waiting = new Map<number, (answer: Answer) => void>();
  let rest = '';
  answers.setEncoding('utf8').on('data', (chunk: string) => {
    const texts = (rest + chunk).split('\0');
    rest = texts.pop()!;
    for (const answer of texts.map((text) => JSON.parse(text) as Answer)) {
      if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
      else if (answer.method === 'Runtime.exceptionThrown' || answer.method === 'Log.entryAdded')
        messages.push(JSON.stringify(answer.params));
    }
  });
  let sent = 0;
  let sessionId: string | undefined;
  const call = async (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    const id = ++sent;
    const answer = await new Promise<Answer>((resolve) => {
      waiting.set(id, resolve);
      commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    });
    waiting.delete(id);
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result!;
  };
  const { targetId } = await call('Target.createTarget', { url: 'about:blank' });
  ({ sessionId } = (await call('Target.attachToTarget', { targetId, flatten: true })) as {
    sessionId: string;
  });
  await Promise.all([call('Page.enable'), call('Runtime.enable'), call('Log.enable')]);
  await call('Page.navigate', { url });
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result } = await call('Runtime.evaluate', { expression, returnByValue: true });
    return (result as { value: T }).value;
  };
  return {
    messages,
    evaluate,
    until: async (expression) => {
      while (!(await evaluate<boolean>(`Boolean(${expression})`)))
        await new Promise((resolve) => setTimeout(resolve, 50));
    },
    look: async (width, height, scheme) => {
      await call('Emulation.setDeviceMetricsOverride', {
        width,
        height,
        deviceScaleFactor: 1,
        mobile: false,
      });
      await call('Emulation.setEmulatedMedia', {
        features: [{ name: 'prefers-color-scheme', value: scheme }],
      });
    },
    screenshot: async () =>
      Buffer.from(
        (await call('Page.captureScreenshot', { captureBeyondViewport: true })).data as string,
        'base64',
      ),
  };
}
