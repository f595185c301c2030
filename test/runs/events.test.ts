import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type NewEvent, parseEvents, type RunEvent, validEvents } from '../../src/runs/events.js';
import { FUZZ_RUNS } from '../fuzz.js';

const BEGUN = {
  run: 'quickstart/20261124-101500-seed-1',
  densenet: '0.1.0',
  engine: 'native engine',
  totalEpochs: 3,
  stepsPerEpoch: 10,
  trainImages: 320,
};

const start: NewEvent = { event: 'start', ...BEGUN };
const resume = (epochs: number, steps: number): NewEvent => ({ event: 'resume', ...BEGUN, epochs, steps });
const step = (epoch: number, step: number): NewEvent => ({
  event: 'step',
  epoch,
  step,
  globalStep: 10 * (epoch - 1) + step,
  loss: 1,
  learningRate: 0.1,
});
const progress = (epoch: number, part: 'train' | 'test', done: number): NewEvent => ({
  event: 'progress',
  epoch,
  part,
  done,
  total: 10,
});
const epoch = (number: number): NewEvent => ({
  event: 'epoch',
  epoch: number,
  learningRate: 0.1,
  trainLoss: 1,
  trainError: 50,
  testLoss: 1,
  testError: 50,
  seconds: 1,
  imagesPerSecond: 320,
});
const checkpoint = (epochs: number, steps: number): NewEvent => ({
  event: 'checkpoint',
  epochs,
  steps,
  seconds: 0.1,
});
const warning: NewEvent = { event: 'warning', message: 'no space left' };

const by = (session: string, ...events: NewEvent[]): RunEvent[] =>
  events.map((event) => ({ time: '2026-11-24T10:15:00.000Z', session, ...event }) as RunEvent);

test('every event is read as it was written', () => {
  const end: NewEvent = {
    event: 'end',
    status: 'finished',
    epochs: 3,
    steps: 0,
    seconds: 3,
    reported: { error: 50, epoch: 3, rule: 'last' },
  };
  const all = [
    start,
    resume(1, 5),
    step(1, 2),
    progress(1, 'test', 3),
    epoch(1),
    checkpoint(1, 0),
    warning,
    end,
  ];
  const events = by('1@a', ...all);
  expect(parseEvents(events.map((event) => `${JSON.stringify(event)}\n`).join(''))).toEqual(events);
});

test('a part of a line, other texts and events of later versions are passed over', () => {
  const [one, two] = by('1@a', start, epoch(1)).map((event) => JSON.stringify(event));
  const text = `${one}\nnull\n[]\nnonsense\n\n{"event":"later","time":"2026-11-24T10:15:00.000Z","session":"1@a"}\n${two}\n`;
  expect(parseEvents(text).map(({ event }) => event)).toEqual(['start', 'epoch']);
});

test('however a log is cut, what is whole of it is read', () => {
  const events = by('1@a', start, step(1, 5), epoch(1), checkpoint(1, 0), warning);
  const lines = events.map((event) => `${JSON.stringify(event)}\n`);
  const text = lines.join('');
  fc.assert(
    fc.property(fc.nat(text.length), (length) => {
      const read = parseEvents(text.slice(0, length));
      expect(read).toEqual(events.slice(0, read.length));
      const whole = text.slice(0, length).split('\n').length - 1;
      expect([whole, whole + 1]).toContain(read.length);
    }),
    { numRuns: FUZZ_RUNS / 10 },
  );
});

test('a resumed run does again what it had done beyond its checkpoint', () => {
  const first = by('1@a', start, step(1, 5), epoch(1), checkpoint(1, 0), step(2, 5), step(2, 10), warning);
  const lost = by('1@a', progress(2, 'train', 7), progress(2, 'test', 3), epoch(2));
  const second = by('2@a', resume(1, 5), step(2, 10), epoch(2), checkpoint(2, 0));
  const kept = first.filter((event) => !(event.event === 'step' && event.epoch === 2 && event.step === 10));
  expect(validEvents([...first, ...lost, ...second])).toEqual([...kept, ...second]);
});

test('a run that goes on from an older checkpoint has every epoch once', () => {
  const log = [
    ...by('1@a', start, epoch(1), checkpoint(1, 0), epoch(2), checkpoint(2, 0)),
    ...by('2@a', resume(1, 0), epoch(2), checkpoint(2, 0)),
    ...by('3@b', resume(2, 0), epoch(3)),
  ];
  const epochs = validEvents(log).flatMap((event) =>
    event.event === 'epoch' ? [[event.session, event.epoch]] : [],
  );
  expect(epochs).toEqual([
    ['1@a', 1],
    ['2@a', 2],
    ['3@b', 3],
  ]);
});

test('what a session says does not count once another has taken the run over', () => {
  const log = [...by('1@a', start, epoch(1)), ...by('2@b', resume(1, 0)), ...by('1@a', step(2, 3))];
  expect(validEvents([...log, ...by('2@b', epoch(2))])).toEqual([...log.slice(0, 3), ...by('2@b', epoch(2))]);
});
