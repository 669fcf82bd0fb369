import type { Metric, MetricObjectWithValues, MetricValueWithName, Registry } from 'prom-client';

/**
 * Metrics for what every request counts, some of it many times: a child is a plain number, looked up once, and is
 * read when the metrics are. prom-client's own look up their labels at each call, which took 5 us of a fetch's 25.
 */
interface Options<L extends string> {
  name: string;
  help: string;
  labelNames: readonly L[];
  registry: Registry;
}

type Labels<L extends string> = Record<L, string>;

abstract class Kept<L extends string, C> {
  readonly name: string;
  readonly help: string;
  readonly #labelNames: readonly L[];
  readonly #children = new Map<string, { labels: Labels<L>; child: C }>();

  protected constructor({ name, help, labelNames, registry }: Options<L>) {
    this.name = name;
    this.help = help;
    this.#labelNames = labelNames;
    registry.registerMetric(this as unknown as Metric);
  }

  protected abstract make(): C;

  /** What counts for these values of the labels, in the order of their names. */
  labels(...values: string[]): C {
    const key = JSON.stringify(values);
    const known = this.#children.get(key);
    if (known) return known.child;
    const labels = Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] ?? '']));
    const child = this.make();
    this.#children.set(key, { labels: labels as Labels<L>, child });
    return child;
  }

  /** Forgets everything. */
  reset(): void {
    this.#children.clear();
  }

  protected each<V>(read: (labels: Labels<L>, child: C) => V[]): V[] {
    return [...this.#children.values()].flatMap(({ labels, child }) => read(labels, child));
  }
}

export class TallyChild {
  value = 0;
  inc(by = 1): void {
    this.value += by;
  }
  dec(by = 1): void {
    this.value -= by;
  }
}

/** A counter, or a gauge that only goes up and down. */
export class Tally<L extends string> extends Kept<L, TallyChild> {
  readonly #type: 'counter' | 'gauge';
  constructor(options: Options<L> & { type?: 'counter' | 'gauge' }) {
    super(options);
    this.#type = options.type ?? 'counter';
  }
  protected make(): TallyChild {
    return new TallyChild();
  }
  async get(): Promise<MetricObjectWithValues<MetricValueWithName<L>>> {
    const values = this.each((labels, { value }) => [{ labels, value }]);
    return describe(this, this.#type, values);
  }
}

export class TimesChild {
  readonly #bounds: readonly number[];
  /** How many were at most each bound, and no less than the one before; one more for all above. */
  readonly counts: number[];
  sum = 0;
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }
  observe(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at++;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sum += value;
  }
}

/** A histogram. */
export class Times<L extends string> extends Kept<L, TimesChild> {
  readonly #buckets: readonly number[];
  constructor(options: Options<L> & { buckets: readonly number[] }) {
    super(options);
    this.#buckets = options.buckets;
  }
  protected make(): TimesChild {
    return new TimesChild(this.#buckets);
  }
  async get(): Promise<MetricObjectWithValues<MetricValueWithName<L>>> {
    const values = this.each((labels, { counts, sum }) => {
      let count = 0;
      const buckets = counts.map((more, at) => {
        count += more;
        const le = this.#buckets[at] ?? '+Inf';
        return { labels: { le, ...labels }, value: count, metricName: `${this.name}_bucket` };
      });
      return [
        ...buckets,
        { labels, value: sum, metricName: `${this.name}_sum` },
        { labels, value: count, metricName: `${this.name}_count` },
      ];
    });
    return describe(this, 'histogram', values);
  }
}

const describe = <L extends string>(
  { name, help }: { name: string; help: string },
  type: string,
  values: unknown[],
): MetricObjectWithValues<MetricValueWithName<L>> =>
  ({ name, help, type, values, aggregator: 'sum' }) as unknown as MetricObjectWithValues<
    MetricValueWithName<L>
  >;
