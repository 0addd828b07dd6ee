import { describeIndexPlans } from './index-plans.contract.js';

describeIndexPlans({ count: 200_000, modulus: 200_003 });
