import { NumberInput, Radio, Stack } from '@mantine/core';
import { useState } from 'react';

export type GraceChoice = { seconds: number; label: string; hint?: string };

const MAX_HOURS = 720;

/** How long the old credential works beside the new one. `null` while the hours make no sense. */
export function Grace({
  label,
  choices,
  custom,
  value,
  onChange,
}: {
  label: string;
  choices: GraceChoice[];
  /** Words for a length of one's own; without them there is none to choose. */
  custom?: { label: string; hours: string; hint: string };
  value: number | null;
  onChange: (seconds: number | null) => void;
}) {
  const [picked, setPicked] = useState(String(value ?? 0));
  const [hours, setHours] = useState<number | string>(48);
  const seconds = (typed: number | string) =>
    typeof typed === 'number' && typed >= 1 && typed <= MAX_HOURS ? Math.round(typed * 3600) : null;

  return (
    <Stack gap="sm">
      <Radio.Group
        label={label}
        value={picked}
        onChange={(next) => {
          setPicked(next);
          onChange(next === 'custom' ? seconds(hours) : Number(next));
        }}
      >
        <Stack gap="sm" mt="xs">
          {choices.map((choice) => (
            <Radio
              key={choice.seconds}
              value={String(choice.seconds)}
              label={choice.label}
              description={choice.hint}
            />
          ))}
          {custom && <Radio value="custom" label={custom.label} />}
        </Stack>
      </Radio.Group>
      {custom && picked === 'custom' && (
        <NumberInput
          label={custom.hours}
          description={custom.hint}
          value={hours}
          onChange={(next) => {
            setHours(next);
            onChange(seconds(next));
          }}
          min={1}
          max={MAX_HOURS}
          allowDecimal={false}
          error={value === null}
          maw={240}
        />
      )}
    </Stack>
  );
}
