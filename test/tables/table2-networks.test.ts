import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/networks/build.js';
import { parameterCount } from '../../src/networks/counts.js';
import { methodName } from '../../src/tables/labels.js';
import { paperTable2 } from '../../src/tables/paper-csv.js';
import { table2Network } from '../../src/tables/table2-networks.js';

const CIFAR10 = { channels: 3, height: 32, width: 32, classes: 10 };
const known = paperTable2().flatMap(({ method, depth, params }) => {
  const network = table2Network(method, depth);
  return network ? [{ method, depth, params, network }] : [];
});

describe('the networks of Table 2', () => {
  it('are its DenseNets and ResNets', () => {
    expect(known).toHaveLength(6 + 9);
    expect(table2Network('FractalNet', 21)).toBeUndefined();
    expect(table2Network('Wide ResNet', 40)).toBeUndefined();
  });

  it.each(known)(
    '$method, $depth: has the parameters that the table prints',
    ({ depth, params, network }) => {
      const count = `${(parameterCount(buildNetwork(network, CIFAR10)) / 1e6).toFixed(1)}M`;
      // 10.2M is what He et al. 2016b print for 1001 layers; it is not that of 1202 layers, which they give as 19.4M.
      const printed = depth === 1001 ? '10.3M' : depth === 1202 ? '19.4M' : params;
      expect(count).toBe(printed);
    },
  );

  it.each(known)('$method, $depth: is called so', ({ method, network }) => {
    expect(methodName(network)).toBe(method.replace(' (reported by Stochastic Depth)', ''));
  });
});
