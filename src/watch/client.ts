/** The page's script: puts the parts that the server sends in their places, and says whether it is connected. */
export const CLIENT = `
const main = document.querySelector('main');
const connection = document.querySelector('#connection');
const child = (parent, key, tag) => {
  const found = [...parent.children].find((element) => element.dataset.key === key);
  if (found) return found;
  const made = document.createElement(tag);
  made.dataset.key = key;
  return made;
};
const arrange = (parent, elements) => {
  elements.forEach((element, index) => {
    if (parent.children[index] !== element) parent.insertBefore(element, parent.children[index] ?? null);
  });
  while (parent.children.length > elements.length) parent.lastElementChild.remove();
};
const source = new EventSource('events');
source.onopen = () => { connection.textContent = 'Live'; };
source.onerror = () => { connection.textContent = 'Not connected: densenet watch has ended, or cannot be reached. Trying again …'; };
source.onmessage = ({ data }) => {
  arrange(main, JSON.parse(data).map(({ key, parts }) => {
    const card = child(main, key, 'section');
    arrange(card, parts.map((part) => {
      const element = child(card, part.key, 'div');
      if (part.html !== undefined) element.innerHTML = part.html;
      return element;
    }));
    return card;
  }));
};
`;
