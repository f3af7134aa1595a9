import { expect } from 'chai';
import { argsText } from '../../../core/driver/recorded.js';
import { Space } from '../../../core/event/pages.js';
import { Address } from '../../../core/value/address.js';

describe('a call of the model as text', () => {
  it('has the values that its line would show', () => {
    const addr = Address.of(0xffffffffc0000);
    expect(argsText('set_memory_ro', { addr, numpages: 2, inner: 7 })).to.equal(
      'set_memory_ro addr=0xffffffffc0000000 numpages=2',
    );
    expect(argsText('set_memory_ro', { ret: -12 }, true)).to.equal('set_memory_ro returns ret=-12');
  });

  it('says which page it is about where its line does not', () => {
    const at = { space: Space.virtual, page: 0xffffffffc0000, numpages: 1, primary: 1 };
    expect(argsText('__change_page_attr', at)).to.equal(
      '__change_page_attr primary 0xffffffffc0000000 primary=1',
    );
    const alias = { ...at, space: Space.direct, page: 0x5123, primary: 0 };
    expect(argsText('cpa_process_alias', alias)).to.equal('cpa_process_alias alias of frame 20771');
    const unknown = { ...alias, page: -5 };
    expect(argsText('cpa_process_alias', unknown)).to.equal(
      'cpa_process_alias alias of a frame that is not known',
    );
  });
});
