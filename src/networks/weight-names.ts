import { UserError } from '../util/errors.js';
import { shorten } from '../util/shorten.js';

/** What wrappers put before every name: training frameworks' checkpoints, `DataParallel`, `torch.compile`. */
const WRAPPERS = /^(?:(?:state_dict|model|module|_orig_mod)\.)+/;

/** `denselayer1.norm.1.weight`: the files that torchvision publishes, older than its present names. */
const DOTTED = /(denselayer\d+\.(?:norm|conv))\.([12])\./;

/** The last normalisation in gpleiss/efficient_densenet_pytorch, otherwise named like torchvision's. */
const LAST_NORM = /^features\.norm_final\./;

/** The name that this project, torchvision and timm give to a tensor that was saved under `name`. */
export function canonicalName(name: string): string {
  return name.replace(WRAPPERS, '').replace(DOTTED, '$1$2.').replace(LAST_NORM, 'features.norm5.');
}

/** The tensors under their canonical names. Throws a UserError (data) if two come to the same one. */
export function withCanonicalNames<T>(tensors: ReadonlyMap<string, T>, where: string): Map<string, T> {
  const named = new Map<string, T>();
  const origin = new Map<string, string>();
  for (const [name, tensor] of tensors) {
    const canonical = canonicalName(name);
    const other = origin.get(canonical);
    if (other !== undefined) {
      throw new UserError(
        'data',
        `${where}: '${shorten(other)}' and '${shorten(name)}' are both ${shorten(canonical)}`,
        'Save the weights of one network only.',
      );
    }
    origin.set(canonical, name);
    named.set(canonical, tensor);
  }
  return named;
}
