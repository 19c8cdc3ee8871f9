// What a paste means. Pure.

// Whether the files of a paste are to be taken. A cell copied from a spreadsheet comes as text and as a picture of
// itself: into a field goes the text.
export const isForUpload = ({ files, types }, isField) =>
  files.length > 0 && !(isField && types.includes('text/plain'));
