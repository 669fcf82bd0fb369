import { metrics } from '../metrics.js';

// Before each test file: it counts from 0, whatever others have done in this process.
metrics.registry.resetMetrics();
