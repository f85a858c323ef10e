// A colour that lets what is under it through; share: in percent.
const tinted = (colour, share) => `color-mix(in srgb, ${colour} ${share}%, transparent)`
