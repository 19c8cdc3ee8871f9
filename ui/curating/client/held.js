// The box that a hand is moving, by pointer or arrow keys, before anything is told. Whoever draws boxes asks here.
export const hand = { dragging: null, nudging: null };

// { step, box, ... } while a hand moves it, else null.
export const heldBox = () => hand.dragging || hand.nudging;

// Called while a hand moves a box: only what follows the hand is drawn then.
export const followers = new Set();
export const follow = () => {
  for (const draw of followers) draw();
};
