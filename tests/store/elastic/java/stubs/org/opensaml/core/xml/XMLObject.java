/** Looked up by name when the server starts; SAML itself is not used. */
package org.opensaml.core.xml;

public interface XMLObject {}
