import { vi } from 'vitest';
import { metrics } from '../metrics.js';

// Before each test file, which shares its process with those before it. What they have replaced is put back before each
// test, but what stands around tests (which programs are there, say) is looked at earlier.
vi.unstubAllEnvs();
vi.restoreAllMocks();
// It counts from 0, whatever others have done in this process.
metrics.registry.resetMetrics();
