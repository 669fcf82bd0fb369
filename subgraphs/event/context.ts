import type { RequestContext } from '../../platform/subgraph/define.js';
import type { Loaders } from './reads.js';

export interface Context extends RequestContext {
  loaders: Loaders;
}
