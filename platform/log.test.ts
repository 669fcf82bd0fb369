import { expect, test } from 'vitest';
import { startScript } from './testing/script.js';

/** What a process prints that logs these objects: so many lines, or up to the one that says so. */
async function logged(
  format: 'json' | 'text',
  level: string,
  statements: string,
  lines: number,
): Promise<string[]> {
  const script = startScript(`
    import { createLog } from './platform/log.ts';
    const log = createLog({ level: '${level}', format: '${format}', app: 'shop' });
    ${statements}`);
  const printed: string[] = [];
  while (printed.length < lines && !printed.at(-1)?.includes('the end')) printed.push(await script.line());
  await script.kill();
  return printed;
}

const secrets = `
  const secret = 'hunter2';
  log.info({ password: secret, authorization: secret }, 'top');
  log.info({ input: { password: secret, accessToken: secret, refreshToken: secret } }, 'one down');
  log.info({ req: { headers: { authorization: secret, cookie: secret } } }, 'two down');
  log.info({ call: { request: { headers: { authorization: secret } } } }, 'three down');
  log.child({ session: { refreshToken: secret } }).info({ config: { JWT_PRIVATE_KEY: secret } }, 'of a child');
  log.child({ a: 1 }).child({ session: { refreshToken: secret } }).info('of a grandchild');
  const error = Object.assign(new TypeError('failed'), { authorization: secret, config: { headers: { authorization: secret } } });
  log.info({ err: error }, 'in an error');
  log.error(error);`;

test.each(['json', 'text'] as const)('secrets never reach the log: %s', async (format) => {
  const text = (
    await logged(format, 'info', `${secrets} log.info('the end');`, Number.POSITIVE_INFINITY)
  ).join('\n');
  for (const line of ['three down', 'of a grandchild', 'in an error', 'TypeError'])
    expect(text).toContain(line);
  expect(text).toContain('[Redacted]');
  expect(text).not.toContain('hunter2');
});

test('as JSON, each line is an object with level, time, app and message', async () => {
  const [line = ''] = await logged(
    'json',
    'info',
    `log.debug('quiet'); log.warn({ service: 'order', port: 7 }, 'slow');`,
    1,
  );
  const { time, ...rest } = JSON.parse(line) as { time: string };
  expect(new Date(time).toISOString()).toBe(time);
  expect(rest).toEqual({ level: 'warn', app: 'shop', service: 'order', port: 7, msg: 'slow' });
});

test('as text, a line is for people, and an error brings its stack', async () => {
  const [line, first, second] = await logged(
    'text',
    'debug',
    `log.debug({ service: 'order', port: 7, at: { x: 1 } }, 'listening'); log.error({ err: new Error('broken') }, 'failed');`,
    3,
  );
  expect(line).toMatch(/^\d\d:\d\d:\d\d debug order: listening port=7 at=\{"x":1\}$/);
  expect(first).toMatch(/^\d\d:\d\d:\d\d error failed$/);
  expect(second).toBe('  Error: broken');
});

test('debug lines gather for a moment, keep their place, and the end of the process loses none', async () => {
  const last = `log.debug('one'); log.info('two'); log.debug('three'); process.exit(0);`;
  const messages = (lines: string[]) => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
  expect(messages(await logged('json', 'debug', last, 3))).toEqual(['one', 'two', 'three']);
  const later = `log.debug('one'); log.debug('two'); setInterval(() => {}, 1_000);`;
  expect(messages(await logged('json', 'debug', later, 2))).toEqual(['one', 'two']);
});
