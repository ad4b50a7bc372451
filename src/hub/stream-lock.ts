/** What a hub needs of the world around it to share one stream with hubs of other versions and hosts. */

/** The stream lock; `onHeld` may come much later, when the present holder has gone. */
export type ClaimStream = (events: { readonly onHeld: () => void; readonly onLost: () => void }) => {
  release(): void;
};

/** What the hub that streams tells the others. */
export type Announcement =
  /** This revision is in storage. */
  | { readonly type: 'committed'; readonly epoch: string; readonly revision: number }
  /** The namespace has been wiped. */
  | { readonly type: 'forgotten' };

export interface Announcements {
  post(announcement: Announcement): void;
  /** Called for what others post; one listener. */
  onAnnouncement(listener: (announcement: Announcement) => void): void;
  close(): void;
}
