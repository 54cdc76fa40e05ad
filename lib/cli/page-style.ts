// The look of the page of charts: light and dark, on narrow and wide screens.

export const STYLE = `
  :root { color-scheme: light dark; --text: #1b1f24; --dim: #59636e; --line: #d1d9e0; --back: #fff; --panel: #f6f8fa;
          --notice: #9a6700; --sync: #8b949e; --threadpool: #d4822a; --async: #2f81f7;
          --better: #2f81f7; --worse: #cf222e; --even: #8b949e; }
  @media (prefers-color-scheme: dark) {
    :root { --text: #e6edf3; --dim: #9198a1; --line: #3d444d; --back: #0d1117; --panel: #151b23; --notice: #d29922;
            --worse: #f85149; }
  }
  * { box-sizing: border-box; }
  body { margin: 0 auto; max-width: 76rem; padding: 1rem; font: 15px/1.5 system-ui, sans-serif; color: var(--text);
         background: var(--back); }
  h1 { font-size: 1.6rem; margin: 0.5rem 0 0; }
  h2 { font-size: 1.1rem; margin: 2rem 0 0; }
  header p, .note { color: var(--dim); margin: 0.2rem 0 0.8rem; max-width: 48rem; }
  header p.notice { color: var(--text); border-left: 4px solid var(--notice); padding: 0.3rem 0.8rem;
                    background: var(--panel); }
  .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); gap: 0.8rem; }
  figure { margin: 0; padding: 0.6rem 0.4rem; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
  figcaption { font-weight: 600; font-size: 0.9rem; padding: 0 0.3rem 0.3rem; }
  figure svg { font-size: 12px; }
  .sides { list-style: none; padding: 0; margin: 2rem 0 0; display: grid; gap: 0.3rem; }
  .swatch { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; margin-right: 0.5em; }
  .swatch.sync { background: var(--sync); }
  .swatch.threadpool { background: var(--threadpool); }
  .swatch.async { background: var(--async); }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; white-space: nowrap; }
  th, td { padding: 0.15rem 0.7rem; text-align: right; font-weight: normal; }
  th[scope=row], th[scope=rowgroup], td:last-child, th[scope=col]:last-child { text-align: left; }
  th[scope=row] { padding-left: 1.4rem; }
  th[scope=rowgroup] { font-weight: 600; border-top: 1px solid var(--line); padding-top: 0.4rem; }
  th[scope=col] { color: var(--dim); }
  .facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 0 2rem; }
  dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.2rem 1rem; margin: 0.5rem 0; }
  dt { color: var(--dim); }
  dd { margin: 0; overflow-wrap: anywhere; }
`;
