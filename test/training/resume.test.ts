import { expect, test } from 'vitest';
import { checkKernels, engineToResume, type Resumption } from '../../src/training/resume.js';
import { silent } from '../../src/util/reporter.js';

const trainedOn = (device: string) =>
  ({ origin: { engine: { name: 'native', device, description: 'native' } } }) as unknown as Resumption;

test('a run goes on where it was trained', async () => {
  const choice = await engineToResume(trainedOn('cpu'), { engine: 'auto', device: 'auto' }, silent);
  expect(choice).toMatchObject({ engine: 'native', device: 'cpu', reason: 'as the run was trained so far' });
});

test('a run that goes on with other kernels warns of other bits', () => {
  const native = { name: 'native', device: 'cpu', description: 'native' };
  const warnings: string[] = [];
  const reporter = { ...silent, warn: (message: string) => void warnings.push(message) };
  checkKernels({ ...native, kernels: 2 }, { ...native, kernels: 2 }, reporter);
  expect(warnings).toEqual([]);
  checkKernels(native, { ...native, kernels: 2 }, reporter);
  expect(warnings).toEqual([
    'the run was trained with other kernels of the native engine so far; it continues, but not to the same bits',
  ]);
});

test('a GPU that is asked for is not passed over', async () => {
  const go = (request: Partial<Parameters<typeof engineToResume>[1]>) =>
    engineToResume(trainedOn('cpu'), { engine: 'auto', device: 'auto', gpu: 1, ...request }, silent);
  await expect(go({})).rejects.toThrow('the native engine runs on the CPU only');
  await expect(go({ device: 'cpu' })).rejects.toThrow('contradict each other');
});
