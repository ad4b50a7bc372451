/** Version of what crosses the port between a tab and its hub. Both must be built with the same one; it only ever grows optional fields. */
export const HUB_PROTOCOL = 1;
