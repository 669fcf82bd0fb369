/** How Kafka's programs are run. */
export const java = {
  flags: [
    // For a quick start and little memory; a broker for one machine does not live by its throughput.
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Djava.awt.headless=true',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS',
    '-Dorg.slf4j.simpleLogger.showThreadName=false',
  ],
  /** The classpath is given here, or it would be five thousand characters of the command line. */
  environment: (classpath: string): NodeJS.ProcessEnv => ({ ...process.env, CLASSPATH: classpath }),
};

/** The end of a program's output, in one line: without the stack traces, and the times of a log. */
export const lastWords = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+(at |\.\.\. \d+ more)/.test(line))
    .slice(-3)
    .map((line) => line.replace(/^[\d-]+ [\d:.]+ /, '').trim())
    .join('; ');
