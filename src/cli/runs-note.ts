import { Command, InvalidArgumentError } from 'commander';
import { findRunFolder } from '../runs/folders.js';
import { UserError } from '../util/errors.js';
import { addTerminalOptions, RUN, resultsOption, type TerminalOptions } from './options.js';
import { print, printJson } from './print.js';

/** What a person keeps with a run: a note and tags. */

interface NoteOptions extends TerminalOptions {
  readonly results: string;
  readonly remove?: boolean;
}

export function runsNoteCommand(): Command {
  const command = new Command('note')
    .description('write a note to a run, replacing the one it has')
    .argument('<run>', RUN)
    .argument('[text]', 'the note, in quotes')
    .addOption(resultsOption())
    .option('--remove', 'remove its note');
  return addTerminalOptions(command).action(runNote);
}

export function runsTagCommand(): Command {
  const command = new Command('tag')
    .description('add tags to a run')
    .argument('<run>', RUN)
    .argument('<tag...>', 'words of letters, digits and . _ : / + -', tag)
    .addOption(resultsOption())
    .option('--remove', 'remove these tags from it');
  return addTerminalOptions(command).action(runTag);
}

/** Tags are separated by spaces in tables, and by commas on the command line. */
function tag(text: string, previous: readonly string[] = []): string[] {
  if (/^[\p{L}\p{M}\p{N}._:/+-]{1,64}$/u.test(text)) return [...previous, text];
  throw new InvalidArgumentError('Give a word of up to 64 letters, digits and . _ : / + -');
}

/** Characters of a note: it is shown in tables. */
const LONGEST_NOTE = 10_000;

async function runNote(reference: string, text: string | undefined, options: NoteOptions): Promise<void> {
  if ((text === undefined) === (options.remove === undefined)) {
    throw new UserError(
      'usage',
      text === undefined ? 'there is no text' : 'a text and --remove contradict each other',
      'For example: densenet runs note quickstart "wider, as in the second draft"',
    );
  }
  if (text !== undefined && text.length > LONGEST_NOTE) {
    throw new UserError(
      'usage',
      `the note has ${text.length} characters, and ${LONGEST_NOTE} is the limit`,
      'Put what is longer into a file of your own in the folder of the run.',
    );
  }
  const folder = await findRunFolder(options.results, reference);
  await folder.writeNote(text ?? '');
  const note = folder.readNote();
  if (options.json) printJson({ run: folder.name, note });
  else print(note === undefined ? `${folder.name} has no note` : `${folder.name}: ${note}`);
}

async function runTag(reference: string, given: readonly string[], options: NoteOptions): Promise<void> {
  const folder = await findRunFolder(options.results, reference);
  const before = folder.readTags();
  await folder.writeTags(
    options.remove ? before.filter((one) => !given.includes(one)) : [...before, ...given],
  );
  const tags = folder.readTags();
  if (options.json) printJson({ run: folder.name, tags });
  else print(tags.length === 0 ? `${folder.name} has no tags` : `${folder.name}: ${tags.join(' ')}`);
}
