/** Settings: `token_ext` is copied, an agent uses it, and a new one ends the old one at once. */
import { call } from '../support/dashboard';
import { expect, test } from '../support/test';

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-03-26', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

test('copy it, call MCP, regenerate, and the old one is refused', async ({ dashboard, owner }) => {
  const { page } = dashboard;
  const mcp = `${dashboard.url}/api/mcp/`;
  await dashboard.mayCopy();
  await dashboard.enter(owner);
  await dashboard.room('Settings').click();
  await expect(page.getByText('token_ext').first()).toBeVisible();
  await expect(page.getByText(owner.api_token), 'not shown unasked').toHaveCount(0);

  await dashboard.button(/^show$/i).click();
  await dashboard.prove(owner);
  await expect(page.getByText(owner.api_token).first()).toBeVisible();
  await dashboard.button(/^copy: token_ext$/i).click();
  const token = await dashboard.clipboard();
  expect(token).toBe(owner.api_token);

  await test.step('the block for agents can be pasted as it is', async () => {
    await dashboard.button(/^copy: mcpServers$/i).click();
    const block = JSON.parse(await dashboard.clipboard()) as {
      mcpServers: Record<string, { url: string; headers: { Authorization: string } }>;
    };
    const [server] = Object.values(block.mcpServers);
    expect(server).toMatchObject({ url: mcp, headers: { Authorization: `Bearer ${token}` } });
  });

  expect(await call(mcp, { body: initialize })).toMatchObject({ status: 200, body: { result: { protocolVersion: '2025-03-26' } } });
  const tools = await call(mcp, { bearer: token, body: list });
  expect(tools.status).toBe(200);
  expect((tools.body as { result: { tools: unknown[] } }).result.tools.length).toBeGreaterThan(0);

  await dashboard.button(/^regenerate$/i).click();
  const sure = dashboard.dialog(/regenerate/i);
  await expect(sure, 'it says what will break').toContainText(/every ai agent.*every script/is);
  await sure.getByRole('button', { name: /regenerate/i }).click();
  const [fresh = ''] = await dashboard.keep('wz');
  expect(fresh).not.toBe(token);

  const old = await call(mcp, { bearer: token, body: list });
  expect(old.status).toBe(401);
  expect(JSON.stringify(old.body)).toContain(`${dashboard.url}/dashboard → Settings.`);
  expect((await call(mcp, { bearer: fresh, body: list })).status).toBe(200);
});
