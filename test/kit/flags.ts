/** The flag builders, as users get them from `flagent-offline/testing`. */
export { buildFlag, buildFlags } from '../../src/testing/flags.ts';
