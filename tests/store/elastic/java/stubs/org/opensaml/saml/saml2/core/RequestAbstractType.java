/** Looked up by name when the server starts; SAML itself is not used. */
package org.opensaml.saml.saml2.core;

public interface RequestAbstractType {}
