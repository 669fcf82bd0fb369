import type { Contract } from '../platform/bus/event.js';
import { customEvent } from './custom.js';
import { courierLocationUpdated, deliveryStatusUpdated } from './delivery.js';
import { orderCancelled, orderCreated, orderErased, orderUpdated } from './order.js';
import { paymentCompleted, paymentRefunded } from './payment.js';
import { productUpdated } from './product.js';
import { userDeleted, userRegistered, userUpdated } from './user.js';

/** Every kind of event that there is; a test holds it against the files beside this one. */
export const contracts: readonly Pick<Contract<unknown>, 'topic' | 'anyType'>[] = [
  ...[userRegistered, userUpdated, userDeleted],
  ...[orderCreated, orderUpdated, orderCancelled, orderErased],
  productUpdated,
  ...[paymentCompleted, paymentRefunded],
  ...[deliveryStatusUpdated, courierLocationUpdated],
  customEvent,
];
