import { IconCheck, IconMinus } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { may } from '@/session/member';
import { Panel } from '@/ui';
import { ROLES } from '../../parts/roles';
import css from './Members.module.css';
import { RIGHTS } from './rights';

/** From least to most, so that what is added reads from left to right. */
const COLUMNS = [...ROLES].reverse();

export function RoleTable() {
  const { t } = useTranslation('members');
  return (
    <Panel title={t('table.title')} flush>
      <table className={css.rights}>
        <thead>
          <tr>
            <th scope="col">{t('table.may')}</th>
            {COLUMNS.map((role) => (
              <th key={role} scope="col">
                <span>{t(`role.${role}`)}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {RIGHTS.map(({ key, least }) => (
            <tr key={key}>
              <th scope="row">{t(`table.${key}`)}</th>
              {COLUMNS.map((role) => (
                <td key={role}>
                  <Mark yes={may(role, least)} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function Mark({ yes }: { yes: boolean }) {
  const { t } = useTranslation('members');
  return (
    <>
      {yes ? (
        <IconCheck size={18} className={css.yes} aria-hidden />
      ) : (
        <IconMinus size={18} className={css.no} aria-hidden />
      )}
      <span className="unseen">{yes ? t('table.yes') : t('table.no')}</span>
    </>
  );
}
