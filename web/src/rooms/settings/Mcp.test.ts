import { expect, it } from 'vitest';
import { mcpServers } from './Mcp';

it('writes the block in the form that MCP clients read', () => {
  expect(JSON.parse(mcpServers('https://wa.example.com/api/mcp/', 'wz_abc'))).toEqual({
    mcpServers: {
      recado: {
        url: 'https://wa.example.com/api/mcp/',
        headers: { Authorization: 'Bearer wz_abc' },
      },
    },
  });
});
