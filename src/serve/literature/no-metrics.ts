/** The figures of a training before its first update, for the server and, which runs this too, the page. */

export const noMetrics = {
  restarted: false,
  loss: [],
  heldOut: [],
  rate: [],
  speed: [],
  figures: {},
  heldOutFigures: {},
  samples: [],
} as const;
