import { describeIndexPlans } from './index-plans.contract.js';

describeIndexPlans({ count: 1_000_000, modulus: 1_000_003 });
