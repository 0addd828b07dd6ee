import { changeBusContract } from './change-bus.contract.js';
import { createMemoryChangeBus } from './memory-change-bus.js';

changeBusContract('the in-memory bus', async (onError) => createMemoryChangeBus({ onError }));
