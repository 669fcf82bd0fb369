import { expect, test, vi } from 'vitest';

// Of their own: what others have asked for in this process is not measured here.
vi.resetModules();
const { collectProcessMetrics, metrics } = await import('./metrics.js');

test('every metric has a valid name, a help text, and a unit or total at its end where one is due', async () => {
  const all = await metrics.registry.getMetricsAsJSON();
  expect(all.length).toBeGreaterThan(5);
  for (const { name, help, type } of all) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    expect(help).not.toBe('');
    if (String(type) === 'counter') expect(name).toMatch(/_total$/);
    else expect(name).not.toMatch(/_total$/);
    if (String(type) === 'histogram') expect(name).toMatch(/_(seconds|size)$/);
  }
});

test('what is served is the text format of Prometheus', async () => {
  metrics.graphqlErrors.inc({ service: 'a "quoted" \\ name', code: 'NOT_FOUND' });
  metrics.httpDuration.labels('order', 'GET', '/graphql').observe(0.003);
  const text = await metrics.registry.metrics();
  // https://prometheus.io/docs/instrumenting/exposition_formats/
  const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\]|\\\\["\\\\n])*"';
  const sample = new RegExp(`^[a-zA-Z_:][a-zA-Z0-9_:]*(?:\\{${label}(?:,${label})*\\})? [-+0-9.eE]+$`);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('# '));
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) expect(line).toMatch(sample);
  expect(lines).toContain(
    'http_request_duration_seconds_bucket{le="0.005",service="order",method="GET",route="/graphql"} 1',
  );
});

test('the process itself is measured once asked for, under names that Prometheus would give', async () => {
  expect(await metrics.registry.metrics()).not.toContain('process_cpu_seconds_total');
  collectProcessMetrics();
  collectProcessMetrics();
  const text = await metrics.registry.metrics();
  expect(text).toContain('process_cpu_seconds_total');
  expect(text).toContain('nodejs_active_handles{');
  for (const [, name] of text.matchAll(/^# TYPE (\S+) gauge$/gm)) expect(name).not.toMatch(/_total$/);
});
