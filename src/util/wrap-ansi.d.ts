declare module 'wrap-ansi' {
  export default function wrapAnsi(
    text: string,
    columns: number,
    options?: { readonly hard?: boolean },
  ): string;
}
