import { expect, test } from 'vitest';
import { checkData, checkKernels, engineToResume, type Resumption } from '../../src/training/resume.js';
import { silent } from '../../src/util/reporter.js';

const trainedOn = (device: string) =>
  ({
    origin: { engine: { name: 'native' as const, device, description: 'native' } },
  }) as unknown as Resumption;

test('a run goes on where it was trained', async () => {
  const choice = await engineToResume(trainedOn('cpu'), { engine: 'auto', device: 'auto' }, silent);
  expect(choice).toMatchObject({ engine: 'native', device: 'cpu', reason: 'as the run was trained so far' });
});

test('a run that goes on with other kernels warns of other bits', () => {
  const native = { name: 'native' as const, device: 'cpu', description: 'native' };
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

test('a run does not go on with other data', () => {
  const run = { name: 'cifar10-40-12/1', path: 'results/runs/cifar10-40-12/1' };
  const published = { name: 'cifar10', digest: 'a'.repeat(64) };
  const jpeg = { name: 'cifar10', digest: 'b'.repeat(64), variant: 'JPEG' };
  checkData(run, published, published);
  checkData(run, undefined, jpeg);
  expect(() => checkData(run, published, jpeg)).toThrow(
    'was trained on other data: cifar10, digest aaaaaaaaaaaa; here is cifar10 (JPEG), digest bbbbbbbbbbbb',
  );
});
