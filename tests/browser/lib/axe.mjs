// axe-core on a page. It is put into the page over the debugging protocol, to
// which the content security policy does not apply, and into a world of its
// own, so that the page's scripts and axe do not see each other.

import { readFileSync } from 'node:fs';

const source = readFileSync(
  new URL('../node_modules/axe-core/axe.min.js', import.meta.url),
  'utf8',
);

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const OPTIONS = {
  runOnly: { type: 'tag', values: TAGS },
  resultTypes: ['violations'],
  // It would fetch style sheets again.
  preload: false,
};

async function inOwnWorld(session) {
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
    worldName: 'axe',
  });
  return async (expression) => {
    const answer = await session.send('Runtime.evaluate', {
      expression,
      contextId: executionContextId,
      awaitPromise: true,
      returnByValue: true,
    });
    if (answer.exceptionDetails) {
      const { exception, text } = answer.exceptionDetails;
      throw new Error(`axe failed: ${exception?.description ?? text}`);
    }
    return answer.result.value;
  };
}

// All findings: {impact, rule, help, places: [{selector, summary}]}.
export async function axeFindings(page) {
  const session = await page.context().newCDPSession(page);
  try {
    const run = await inOwnWorld(session);
    await run(`${source};0`);
    const violations = await run(
      `axe.run(document, ${JSON.stringify(OPTIONS)}).then((report) => report.violations)`,
    );
    return violations.map((violation) => ({
      impact: violation.impact,
      rule: violation.id,
      help: violation.help,
      places: violation.nodes.map((node) => ({
        selector: node.target.flat().join(' '),
        summary: node.failureSummary?.split('\n').slice(1).join(' ').trim() ?? '',
      })),
    }));
  } finally {
    await session.detach();
  }
}

const line = (finding) =>
  [`${finding.impact}: ${finding.rule}: ${finding.help}`]
    .concat(finding.places.map((place) => `    ${place.selector}: ${place.summary}`))
    .join('\n');

// Throws on findings that are serious or critical.
export async function assertAccessible(page) {
  const findings = await axeFindings(page);
  const bad = findings.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  if (bad.length) {
    throw new Error(`axe on ${new URL(page.url()).pathname}:\n  ${bad.map(line).join('\n  ')}`);
  }
}
