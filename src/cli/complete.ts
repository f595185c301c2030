import tab from '@bomb.sh/tab/commander';
import type { Command } from 'commander';

const EXAMPLES = `
Examples:
  source <(densenet complete bash)                    in this shell (with the package bash-completion)
  source <(densenet complete zsh)                     or the same line in ~/.zshrc, for every shell
  densenet complete fish > ~/.config/fish/completions/densenet.fish`;

/** Adds `complete`, which knows every command of the program with its options and their choices. */
export function addCompletion(root: Command): void {
  tab(root);
  root.commands
    .find((command) => command.name() === 'complete')!
    .description('print a script by which a shell completes commands, options and choices')
    .addHelpText('after', EXAMPLES);
}
