import type { Command } from 'commander';
import { program } from './program.js';

const HEAD = `# Command line

Every command with all its options, as \`densenet COMMAND --help\` prints it. Written by \`npm run docs:cli\`.
`;

/** docs/cli.md: the help of the program and of every command. */
export async function cliReference(): Promise<string> {
  return [HEAD, ...sections(await program())].join('\n');
}

function sections(command: Command, heading = `## ${command.name()}`): string[] {
  const section = `${heading}\n\n\`\`\`text\n${help(command)}\n\`\`\`\n`;
  return [section, ...command.commands.flatMap((child) => sections(child, `#${heading} ${child.name()}`))];
}

/** What `--help` prints, 100 columns wide. */
function help(command: Command): string {
  const parts: string[] = [];
  const writeOut = (text: string) => void parts.push(text);
  command.configureOutput({ writeOut, getOutHelpWidth: () => 100 }).outputHelp();
  return parts.join('').trim();
}
