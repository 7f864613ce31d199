/** The addresses of the dashboard, all below `DASHBOARD`. What is not needed at once comes later. */
import { lazy, Suspense } from 'react';
import { Route, Router, Switch } from 'wouter';
import { DASHBOARD } from './base';
import { RequireSession } from './session/member';
import { Boundary } from './shell/Boundary';
import { Shell } from './shell/Shell';
import { Loading, SayProvider } from './ui';

const SignIn = lazy(() => import('./pages/SignIn'));
const Forgot = lazy(() => import('./pages/Forgot'));
const SignUp = lazy(() => import('./pages/SignUp'));
const LinkPage = lazy(() => import('./pages/LinkPage'));
const NotFound = lazy(() => import('./pages/NotFound'));
const Instances = lazy(() => import('./rooms/instances'));
const InstancePage = lazy(() => import('./rooms/instance'));
const Security = lazy(() => import('./rooms/security'));
const Settings = lazy(() => import('./rooms/settings'));

export function App() {
  return (
    <Router base={DASHBOARD}>
      <Suspense fallback={<Loading />}>
        <SayProvider>
          <Boundary>
            <Switch>
              <Route path="/sign-in" component={SignIn} />
              <Route path="/forgot" component={Forgot} />
              <Route path="/sign-up" component={SignUp} />
              <Route path="/link" component={LinkPage} />
              <Route>
                <RequireSession>
                  <Shell>
                    <Rooms />
                  </Shell>
                </RequireSession>
              </Route>
            </Switch>
          </Boundary>
        </SayProvider>
      </Suspense>
    </Router>
  );
}

function Rooms() {
  return (
    <Boundary>
      <Suspense fallback={<Loading />}>
        <Switch>
          <Route path="/" component={Instances} />
          <Route path="/instances">
            <Instances />
          </Route>
          <Route path="/instances/:id">
            <InstancePage />
          </Route>
          <Route path="/security/*?">
            <Security />
          </Route>
          <Route path="/settings/*?">
            <Settings />
          </Route>
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Suspense>
    </Boundary>
  );
}
