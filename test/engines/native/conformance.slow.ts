import { createNativeEngine } from '../../../src/engines/native/index.js';
import { silent } from '../../../src/util/reporter.js';
import { engineConformance } from '../conformance.js';

engineConformance('native', () => createNativeEngine({ device: 'cpu', setup: true, reporter: silent }));
