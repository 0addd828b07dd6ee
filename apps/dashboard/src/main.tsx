import './lib/zod-without-eval.js';
import './styles.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.js';
import { watchSystemTheme } from './lib/theme.js';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element with the id root');

watchSystemTheme();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
