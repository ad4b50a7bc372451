/** The flags of an application as types. Empty here: the file that `flagent-offline types` writes fills it in by module augmentation. */

/**
 * One entry per flag: `{ variant: 'control' | 'treatment'; attachment: { colour: string } }`. As long as it is empty, every key is a
 * string and nothing is known of variants and attachments.
 */
// biome-ignore lint/suspicious/noEmptyInterface: applications add to it.
export interface FlagTypes {}

/** The key of a flag: one of those in `FlagTypes`, or any string when there is none. */
export type FlagKey = keyof FlagTypes extends never ? string : keyof FlagTypes & string;

/** The keys of the variants of the flag `K`. */
export type VariantKey<K extends string = string> = K extends keyof FlagTypes
  ? FlagTypes[K] extends { readonly variant: infer V extends string }
    ? V
    : string
  : string;

/** The attachment of the variants of the flag `K`: texts by name. */
export type Attachment<K extends string = string> = K extends keyof FlagTypes
  ? FlagTypes[K] extends { readonly attachment: infer A }
    ? A
    : Readonly<Record<string, string>>
  : Readonly<Record<string, string>>;
