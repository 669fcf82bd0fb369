/** Now, in ms, by the clock of the machine that all of its processes share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;
