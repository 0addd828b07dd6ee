/** A component of a `.vue` file, as the bundler gives it. */
declare module '*.vue' {
  import type { Component } from 'vue';

  const component: Component;
  export default component;
}
