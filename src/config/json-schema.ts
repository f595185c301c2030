import { z } from 'zod';
import { experimentFields, nameSchema } from './schema.js';

/** What a config file may hold. Used for its JSON Schema; files are checked once they are merged. */
const fileSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors: the path of this schema.'),
    extends: z
      .string()
      .optional()
      .describe(
        'The config that this one builds on: a path as seen from this file, or a name in configs/ such as recipes/cifar. Objects are merged, lists replaced.',
      ),
    name: nameSchema.optional(),
    ...experimentFields,
  })
  .describe('An experiment of densenet: a network, a dataset and how to train.');

/** The keys that tell the members of a union apart. */
export const DISCRIMINATORS = ['family', 'schedule'] as const;

/**
 * The JSON Schema of config files. Nothing is required in a file, as `extends` may give it; only what tells the
 * members of a union apart stays.
 */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(fileSchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      const kept = jsonSchema.required?.filter((key) => DISCRIMINATORS.some((name) => name === key)) ?? [];
      if (kept.length > 0) jsonSchema.required = kept;
      else delete jsonSchema.required;
    },
  });
}

export type JsonSchema = z.core.JSONSchema.BaseSchema;
