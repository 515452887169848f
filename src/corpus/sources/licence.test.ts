import { describe, expect, test } from "vitest";
import { licenceOf, spdxOf } from "./licence.ts";

describe("spdxOf", () => {
  test.each([
    ["http://creativecommons.org/licenses/by/2.0", "CC-BY-2.0"],
    ["https://creativecommons.org/licenses/by-nc-nd/4.0/", "CC-BY-NC-ND-4.0"],
    ["https://creativecommons.org/licenses/by-sa/3.0/igo/", "CC-BY-SA-3.0-IGO"],
    ["https://creativecommons.org/licenses/by/4.0/deed.en", "CC-BY-4.0"],
    ["https://creativecommons.org/licenses/by-nc/3.0/zw/", "CC-BY-NC-3.0"],
    ["https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"],
    ["http://creativecommons.org/publicdomain/mark/1.0/", "CC-PDM-1.0"],
    ["CC-BY-4.0 (per README table)", "CC-BY-4.0"],
    ["CC BY-NC-SA 4.0", "CC-BY-NC-SA-4.0"],
    ["CC-BY", "CC-BY"],
    ["CC0", "CC0-1.0"],
    ["under the terms of the Creative Commons Attribution License, which permits use", "CC-BY"],
    ["the Creative Commons Attribution 4.0 International License", "CC-BY-4.0"],
    ["Creative Commons Attribution-NonCommercial-NoDerivs License 3.0", "CC-BY-NC-ND-3.0"],
    ["Creative Commons Attribution Non-Commercial License (CC BY-NC 4.0)", "CC-BY-NC-4.0"],
    ["Creative Commons Attribution-ShareAlike 3.0 Unported", "CC-BY-SA-3.0"],
    ["Apache-2.0", "Apache-2.0"],
  ])("of %j is %s", (text, expected) => {
    expect(spdxOf([text])).toBe(expected);
  });

  test("takes an address before words, in whichever text it stands", () => {
    expect(spdxOf(["Creative Commons Attribution License", "http://creativecommons.org/licenses/by/3.0"])).toBe(
      "CC-BY-3.0",
    );
  });

  test("says nothing of other words", () => {
    expect(spdxOf(["OpenAccess", "Copyright 2015 The Authors. All rights reserved."])).toBeNull();
    expect(licenceOf(["OpenAccess"])).toBe("OpenAccess");
    expect(licenceOf(["", " "])).toBeNull();
  });
});
